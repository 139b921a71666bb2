"""The domain extractor: a small network that knows cars and generators' mistakes, where Inception cannot be had."""
