TopProgram.main()
