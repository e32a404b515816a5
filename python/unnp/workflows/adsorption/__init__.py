"""The three-start adsorption test: does a potential know a molecule on a surface?"""
