"""For all tests."""

import signal

# a shell's background jobs ignore Ctrl-C, and children inherit that; some tests send it to the processes they start
signal.signal(signal.SIGINT, signal.default_int_handler)
