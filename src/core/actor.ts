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
  /** Who calls without a session, as `user:NAME` by the name of the token. It stands in the records, and holds nothing. */
  person?: string;
}

/** The names of persons in records begin so. */
export const personMark = 'user:';

/** A caller without a session, by the name of what has let it in. */
export const personNamed = (name: string, project = ''): Actor => ({
  holder: null,
  person: `${personMark}${name}`,
  project,
});

/** As whom records name an actor: events, and the rows of what it has made. */
export const recordedName = (actor: Actor | undefined): string | null => actor?.holder ?? actor?.person ?? null;

/** The actor of what follows from something that a record names the maker of. */
export const recordedActor = (name: string | null, project: string): Actor =>
  name?.startsWith(personMark) ? { holder: null, person: name, project } : { holder: name, project };
