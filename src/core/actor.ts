/** Who asks for something: a server's session, a shell, an HTTP caller, or a job's runner. */
export interface Actor {
  /** What its claims are held under; null for a caller without a living session, whose claims live by lease alone. */
  holder: string | null;
  /** The project it works in, '' for none: its lists show this project's rows and those of none. */
  project: string;
  /** False where no server of the holder lives that would renew its claims: they are given a longer lease then. */
  hasHeartbeat?: boolean;
}
