"""Uses what a run trained: on your own images, or, of a generator, for new ones."""

from retable.commands.predict import main

if __name__ == "__main__":
    main()
