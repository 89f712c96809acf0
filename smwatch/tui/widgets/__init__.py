"""What is drawn: each widget gets rows or values and sends messages; none knows the store, a source or the clock."""
