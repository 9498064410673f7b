"""How a setting is declared, checked and written; which settings contradict one another; what follows a schedule."""
