/** The caller of an operation: a server's session, a shell, an HTTP caller, or a job's runner. */
export interface Actor {
  /** The name under which it holds claims; null without a live session. Then its claims last as long as their lease. */
  holder: string | null;
  /** The project it works in, '' for none. Its lists show the rows of this project and those of no project. */
  project: string;
  /** False if no live server of the holder renews its claims, which then get a longer lease. */
  hasHeartbeat?: boolean;
  /**
   * Its client is elsewhere and says who it is, so that it is known again by another server process: what it holds does
   * not end with this one, but with its lease.
   */
  comesBack?: boolean;
}
