"""What another order of served lists would have been worth, told from lists whose order was drawn by chance."""
