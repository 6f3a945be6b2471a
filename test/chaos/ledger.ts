/** What was acknowledged to the users, and so must be found afterwards. */
export class Ledger {
  /** Titles of tasks by id. */
  readonly tasks = new Map<number, string>();
  /** Who was given which claim, by task and token. */
  readonly claims = new Map<string, string>();
  readonly ends = new Map<number, { status: string; result: string; token: number }>();
  readonly notes: { task: number; note: string }[] = [];
  readonly goals = new Map<number, string>();
  /** What a job must answer, by its id; undefined where any answer will do. */
  readonly jobs = new Map<string, string | undefined>();
  readonly cancelled = new Set<string>();
  /** Schedules that fire once, by name: what the job must answer. */
  readonly timers = new Map<string, string>();
  /** Schedules that fire again and again; at the end of the run they are paused. */
  readonly recurring = new Set<string>();
  readonly results = new Map<string, string>();
  readonly relays = new Set<string>();
  /** Batons with whose output a step was passed. */
  readonly batons = new Map<string, string>();
  /** Marks of tool calls that must not run twice: those sent, and those answered. */
  readonly sent = new Set<string>();
  readonly answered = new Set<string>();
  readonly problems: string[] = [];

  calls = 0;
  acknowledged = 0;
  lost = 0;
  readonly refused = new Map<string, number>();
  slowestMs = 0;
  /** From the start of a server to its first answer, on a moving average. */
  startMs = 1_000;

  started(ms: number): void {
    this.startMs += (ms - this.startMs) / 8;
  }

  problem(what: string): void {
    if (this.problems.length < 100) this.problems.push(what);
  }

  claim(task: number, token: number, user: string): void {
    const key = `${task} with token ${token}`;
    const before = this.claims.get(key);
    if (before !== undefined && before !== user)
      this.problem(`The claim on ${key} was given to ${before} and ${user}.`);
    this.claims.set(key, user);
  }
}
