"""What a person sees of a run: made from the verdict, never the other way round."""
