# Nothing is declared: the class stays an ordinary one, and its methods are compiled.
