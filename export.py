"""Writes the network of a run for use without Retable: a program of torch.export, and what goes in and comes out."""

from retable.commands.export import main

if __name__ == "__main__":
    main()
