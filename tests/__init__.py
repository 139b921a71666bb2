"""A regular package, as torch-fidelity installs one of the same name, which would win over a mere folder."""
