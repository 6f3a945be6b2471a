import fc from 'fast-check';

/**
 * Stands in a generated call for something that an earlier answer has named, so that what is generated is a function of
 * the seed alone, and what is sent still finds tasks, jobs and batons.
 */
class Mention {
  readonly name: string;
  readonly place: number;
  readonly otherwise: unknown;

  constructor(name: string, place: number, otherwise: unknown) {
    this.name = name;
    this.place = place;
    this.otherwise = otherwise;
  }
}

/** The names under which answers give what a field asks for. */
const sources: Readonly<Record<string, readonly string[]>> = {
  task_id: ['id', 'task_id'],
  taskId: ['id', 'task_id', 'key'],
  discovered_from: ['id'],
  dependencies: ['id', 'key'],
  goal_id: ['goal_id'],
  job_id: ['job_id', 'task_id', 'run_id'],
  task_ids: ['task_id', 'job_id', 'run_id'],
  depends_on: ['task_id', 'job_id'],
  pipeline_id: ['pipeline_id'],
  baton_id: ['baton_id'],
  claim_token: ['claim_token'],
  permit: ['permit'],
  cursor: ['next_cursor'],
  slot: ['slot'],
  workerSlot: ['slot'],
  step_index: ['step_index', 'current_step'],
  template: ['name'],
  subject_id: ['id', 'job_id', 'pipeline_id'],
};

/** What earlier answers named for a field of this name, else the other value. */
export function mention(name: string, otherwise: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  if (!Object.hasOwn(sources, name)) return otherwise;
  return fc.tuple(fc.nat(), otherwise).map(([place, value]) => new Mention(name, place, value));
}

const keptOfEach = 40;

/** What the answers so far have named. */
export class Known {
  readonly #found = new Map<string, unknown[]>();

  /** Looks through the upper part of an answer. */
  learn(answer: unknown, depth = 0): void {
    if (typeof answer !== 'object' || answer === null || depth > 3) return;
    if (Array.isArray(answer)) {
      for (const item of answer.slice(0, 3)) this.learn(item, depth + 1);
      return;
    }
    for (const [name, value] of Object.entries(answer)) {
      if (typeof value === 'string' || typeof value === 'number') this.#keep(name, value);
      else this.learn(value, depth + 1);
    }
  }

  #keep(name: string, value: unknown): void {
    const found = this.#found.get(name) ?? [];
    this.#found.set(name, found);
    found.push(value);
    if (found.length > keptOfEach) found.shift();
  }

  /** The value with every mention in it replaced; arguments that schemas describe are not deeper. */
  fill(value: unknown, depth = 0): unknown {
    if (value instanceof Mention) return this.#pick(value);
    if (typeof value !== 'object' || value === null || depth > 5) return value;
    if (Array.isArray(value)) return value.map((item) => this.fill(item, depth + 1));
    return Object.fromEntries(Object.entries(value).map(([name, held]) => [name, this.fill(held, depth + 1)]));
  }

  #pick({ name, place, otherwise }: Mention): unknown {
    const found = (sources[name] ?? []).flatMap((source) => this.#found.get(source) ?? []);
    return found.length === 0 ? otherwise : found[place % found.length];
  }
}
