"""How the product behaves at the size it is made for."""
