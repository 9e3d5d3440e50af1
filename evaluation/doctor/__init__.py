"""Whether everything is there that sqlassay needs: one small module per kind of thing.

None of them imports another room when it is imported: a foreign package may stand in the room's place, and that is one
of the things to find out.
"""
