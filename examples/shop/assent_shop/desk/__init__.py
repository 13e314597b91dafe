"""The service desk: what each tool does with rows, by applying the rules; one file for looking up, one for changing."""
