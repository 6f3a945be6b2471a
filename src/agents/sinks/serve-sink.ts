import { pathToFileURL } from 'node:url';
import { messageOf, RuntimeError } from '../../base/errors.js';
import { timeoutSignal } from '../../base/timeout-signal.js';
import { watchForHang } from '../modules/hang-watch.js';
import { ownPlace } from '../own-stack.js';
import type { Sink, SinkContext } from './define-sink.js';
import type { ToParent, ToSink } from './sink-process.js';

/**
 * The main function of a sink's process: imports the module and gives it the batches that its parent sends, until the
 * parent is gone.
 */
export function serveSink(path: string, name: string): void {
  // Bound before the module can replace it.
  const send = process.send?.bind(process) as ((message: ToParent) => void) | undefined;
  if (!send) throw new Error('The process of a sink must be started with an IPC channel.');
  process.on('disconnect', () => process.exit());
  const watch = watchForHang();
  watch.begin();
  const loading = importSink(path).finally(() => watch.done());
  loading.then(
    ({ batchSize = 100, timeoutSeconds = 60 }) => send({ ready: { batchSize, timeoutMs: timeoutSeconds * 1000 } }),
    (error: unknown) => send({ failed: messageOf(error) }),
  );
  const log: SinkContext['log'] = (level, message, fields) => send({ log: { level, message, fields } });
  process.on('message', async (message: ToSink) => {
    const sink = await loading.catch(() => undefined);
    if ('close' in message) {
      await sink?.close?.().catch(() => {});
      process.exit();
    }
    try {
      const signal = timeoutSignal(message.timeoutMs);
      await sink?.write(message.events, { name, signal, log });
      send({ id: message.id, error: undefined });
    } catch (error) {
      send({ id: message.id, error: messageOf(error) });
    }
  });
}

/** Throws RuntimeError `not_configured` with all that the module lacks; the subject of the message is "It". */
async function importSink(path: string): Promise<Sink> {
  let sink: Partial<Record<keyof Sink, unknown>> | undefined;
  try {
    ({ default: sink } = (await import(pathToFileURL(path).href)) as { default?: typeof sink });
  } catch (error) {
    const place = ownPlace(error);
    throw refused(`cannot be loaded: ${messageOf(error)}${place === undefined ? '' : ` (${place})`}`);
  }
  if (typeof sink?.write !== 'function')
    throw refused('exports no sink. Write: export default defineSink({ async write(events) { ... } })');
  if (!isWithin(sink.batchSize, 1_000)) throw refused('has a batchSize that is not a whole number from 1 to 1,000');
  if (!isWithin(sink.timeoutSeconds, 600))
    throw refused('has a timeoutSeconds that is not a whole number from 1 to 600');
  return sink as Sink;
}

const isWithin = (value: unknown, most: number): boolean =>
  value === undefined || (Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= most);

const refused = (what: string) => new RuntimeError('not_configured', `It ${what}.`);
