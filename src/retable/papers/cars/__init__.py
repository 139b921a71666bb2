"""Cars: GANs that hallucinate cars from Cityscapes (Coiduras and Van de Mierop), with scores that can be trusted."""
