import type { JsonObject } from '../../base/json.js';
import type { StreamedEvent } from '../../core/events/streamed-event.js';

/** An event as a sink gets it: one change. `id` is the same each time it comes. */
export type SinkEvent = StreamedEvent;

/** What a sink gets beside its events. */
export interface SinkContext {
  /** As the config file names the sink. */
  readonly name: string;
  /** Aborts when the time for the batch is over. */
  readonly signal: AbortSignal;
  /** Writes to the log of the program. Fields must not hold secrets. */
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string, fields?: JsonObject): void;
}

/** Takes events to a queue, a stream or a store of the user's own. */
export interface Sink {
  /** How many events it is given at once at most: 1 to 1,000, 100 by default. */
  readonly batchSize?: number;
  /** Time limit for one batch in seconds, up to 600; 60 by default. */
  readonly timeoutSeconds?: number;
  /**
   * Takes a batch, in the order of the events, which is the order of what they are about. When it resolves, they are never
   * given again; when it rejects, the whole batch is, after a pause, and none behind it before. It may be given events
   * twice: after a failure, or when its process was killed before it could say that it is done.
   */
  write(events: readonly SinkEvent[], context: SinkContext): Promise<void>;
  /** Ends its connections, when the process that it runs in is about to end in order. */
  close?(): Promise<void>;
}

/**
 * Declares a sink: the default export of a module that the config file names in `sinks`.
 *
 * @example
 * export default defineSink({
 *   async write(events) {
 *     await appendFile('events.jsonl', events.map((event) => `${JSON.stringify(event)}\n`).join(''));
 *   },
 * });
 */
export function defineSink(sink: Sink): Sink {
  return sink;
}
