import type { JobRow } from '../core/jobs/job.js';

/** Jobs that a runner may hold beside those it works on. With more, others would wait too long for the write lock. */
const mostHeld = 112;
/** Jobs that end within this time are short, milliseconds. */
const shortMs = 50;
/** Those that are still held after this time go back to the queue: what runs before them is not as short as it was. */
const staleMs = 300;
/** Then no more are held for this long. */
const sobrietyMs = 5_000;
/** By how much what a turn and its jobs took counts less with each turn after it. */
const fading = 0.8;
/** The share of its time in which a runner writes from which on it needs no other beside it, and below which it does again. */
const [enoughShare, tooSmallShare] = [1 / 2, 1 / 3];
/** Turns in a row that end short jobs after which it is known whether the runner is enough. */
const turnsToJudge = 8;

/**
 * Jobs that a runner has claimed and not begun, to begin as soon as others of it end. It holds some only while its jobs are
 * so short that claiming and writing each batch would take longer than they do.
 */
export class HeldJobs {
  readonly #onStale: () => void;
  #jobs: JobRow[] = [];
  #timer: NodeJS.Timeout | undefined;
  #spare = 0;
  #notBefore = Number.NEGATIVE_INFINITY;
  #turnedAt = performance.now();
  #writingMs = 0;
  #doingMs = 0;
  #isEnough = false;
  #shortTurns = 0;

  /** `onStale` is called when some have been held for too long; it takes them all. */
  constructor(onStale: () => void) {
    this.#onStale = onStale;
  }

  get size(): number {
    return this.#jobs.length;
  }

  /** How many may be claimed now beside those that begin at once. */
  get spare(): number {
    return performance.now() < this.#notBefore ? 0 : this.#spare;
  }

  /** Whether the jobs are so short that to write them takes longer than to do them. */
  get isEnough(): boolean {
    return this.spare > 0 && this.#isEnough;
  }

  /** Whether its jobs are short, and it is not known yet whether it is enough: another one would start in vain, mostly. */
  get isJudging(): boolean {
    return this.spare > 0 && !this.#isEnough && this.#shortTurns < turnsToJudge;
  }

  /** Judges by the attempts that have ended since the last turn. */
  judge(ended: readonly { durationMs: number }[], capacity: number): void {
    const areShort = ended.length >= capacity && ended.every(({ durationMs }) => durationMs <= shortMs);
    this.#spare = capacity > 1 && areShort ? mostHeld : 0;
    this.#shortTurns = areShort ? this.#shortTurns + 1 : 0;
    this.#doingMs = this.#doingMs * fading + performance.now() - this.#turnedAt;
    const share = this.#writingMs / (this.#writingMs + this.#doingMs);
    this.#isEnough = areShort && share > (this.#isEnough ? tooSmallShare : enoughShare);
    if (!areShort) this.#writingMs = this.#doingMs = 0;
  }

  /** Call it after each turn. */
  turned(lockedMs: number): void {
    this.#turnedAt = performance.now();
    this.#writingMs = this.#writingMs * fading + lockedMs;
  }

  hold(jobs: readonly JobRow[]): void {
    this.#jobs.push(...jobs);
  }

  list(): readonly JobRow[] {
    return this.#jobs;
  }

  /** Those that were claimed first, `most` at the most. */
  next(most: number): JobRow[] {
    return this.#jobs.splice(0, most);
  }

  /** Those for which `isTaken` holds; all of them without it. */
  take(isTaken: (job: JobRow) => boolean = () => true): JobRow[] {
    const taken = this.#jobs.filter(isTaken);
    this.#jobs = this.#jobs.filter((job) => !isTaken(job));
    return taken;
  }

  /** Call it when those that could begin have begun: what is held then must not wait for long. */
  watch(): void {
    clearTimeout(this.#timer);
    if (this.size === 0) return;
    this.#timer = setTimeout(() => {
      if (this.size === 0) return;
      this.#notBefore = performance.now() + sobrietyMs;
      this.#onStale();
    }, staleMs);
  }
}
