"""What is learned: returns on tasks, and what each part of the algorithm is for."""
