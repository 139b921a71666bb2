"""Networks that classify drawings: the paper's, our small one, and what trains them all."""
