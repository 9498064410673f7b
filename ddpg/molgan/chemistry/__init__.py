"""What MolGAN needs of chemistry, by RDKit: molecules as graphs, data, rewards, valid samples."""
