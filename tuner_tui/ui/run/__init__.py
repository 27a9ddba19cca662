"""What the Run screen is made of: pure texts of a given width, and the widgets that show them."""
