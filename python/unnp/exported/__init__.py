"""The exported model file: its manifest, writing, checking and opening."""
