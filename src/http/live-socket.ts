import type { MiddlewareHandler } from 'hono';
import type { WebSocket } from 'ws';
import { toStreamed } from '../core/events/streamed-event.js';
import type { EventFeed } from '../mcp/event-feed.js';
import type { Runtime } from '../runtime.js';
import { showWorker, showWorkerTask } from '../tools/shapes/worker.js';
import { errorResponse } from './failure.js';
import { type EndReason, type FollowNeeds, followEvents, longestBacklogBytes, placeOf } from './follow-events.js';
import type { Env } from './guard.js';
import type { OpenVisits } from './open-visits.js';
import { type StreamPlaces, tooManyStreams } from './stream-places.js';

export interface LiveSocketNeeds {
  runtime: Pick<Runtime, 'tasks' | 'slots' | 'clock'>;
  feed: EventFeed;
  visits: OpenVisits;
  streams: StreamPlaces;
}

/**
 * Answers requests for a WebSocket: with the board, or by `?show=events` with what the stream of events has, from
 * `?after=ID` on. It takes one of the places for streams that its token has.
 */
export function liveSocket({ runtime, feed, visits, streams }: LiveSocketNeeds): MiddlewareHandler<Env> {
  const readBoard = createBoardReader(runtime, feed);
  return async (context, next) => {
    const accept = context.env?.accept;
    if (!accept) return next();
    const show = context.req.query('show') ?? 'board';
    if (show !== 'board' && show !== 'events') return errorResponse(400, unknownShow(show));
    const pass = context.get('visitor');
    const needs = { feed, visits, pass, afterId: await placeOf(context.req.query('after'), feed) };
    const onClose = streams.take(pass);
    if (!onClose) return errorResponse(503, tooManyStreams);
    const open = (socket: WebSocket) =>
      show === 'events' ? sendEvents(socket, needs) : sendBoard(socket, readBoard, needs);
    return accept(open, onClose);
  };
}

const unknownShow = (show: string) => ({
  code: 'invalid',
  message: `A socket cannot show ${JSON.stringify(show)}.`,
  hint: 'Give show=board or show=events.',
});

/** Sends each event as `{type: 'event', event}`, after one `{type: 'ready', after}`: the place from which it goes on. */
function sendEvents(socket: WebSocket, needs: FollowNeeds): void {
  socket.send(JSON.stringify({ type: 'ready', after: needs.afterId }));
  const stop = followEvents(needs, {
    room: () => longestBacklogBytes - socket.bufferedAmount,
    send(events) {
      for (const event of events) socket.send(JSON.stringify({ type: 'event', event: toStreamed(event) }));
    },
    end: (why) => end(socket, why),
  });
  socket.once('close', stop);
}

/** Reads the board as the task coordinator sent it: `"workers": [...], "tasks": [...]}`, the rest of a message. */
type ReadBoard = () => Promise<string>;

/**
 * Sends the board as the task coordinator did: `{type: 'initial', workers, tasks}`, and with `update` when something has
 * changed. Changes that come close together, or while a client reads slowly, are one message.
 */
function sendBoard(socket: WebSocket, readBoard: ReadBoard, needs: FollowNeeds): void {
  let isSending = false;
  let hasChanged = false;

  async function send(type: 'initial' | 'update'): Promise<void> {
    if (isSending) {
      hasChanged = true;
      return;
    }
    isSending = true;
    hasChanged = false;
    try {
      const board = await readBoard();
      socket.send(`{"type":"${type}",${board}`);
    } catch {
      // Whoever connects again sees the board, or why it cannot be read.
      socket.close(1011, 'The board cannot be read.');
    } finally {
      isSending = false;
    }
    if (hasChanged) await send('update');
  }

  const stop = followEvents(needs, {
    room: () => longestBacklogBytes - socket.bufferedAmount,
    send(events) {
      if (events.some(({ subject }) => changesBoard.has(subject))) void send('update');
    },
    end: (why) => end(socket, why),
  });
  socket.once('close', stop);
  void send('initial');
}

const changesBoard: ReadonlySet<string> = new Set(['task', 'slot', 'runtime', 'session']);

/** The newest tasks, of a board with more. */
const mostTasks = 1_000;
const longestText = 200;

/** Sockets that are told of the same change share one read. */
function createBoardReader(runtime: LiveSocketNeeds['runtime'], feed: EventFeed): ReadBoard {
  let latest: { eventId: number; board: Promise<string> } | undefined;

  async function read(): Promise<string> {
    const workers = (await runtime.slots.list()).map(showWorker);
    const newest = await runtime.tasks.list({ limit: mostTasks });
    const keys = await runtime.tasks.keysOf(newest);
    const shownFor = { keys, now: runtime.clock.now(), longest: longestText };
    const tasks = newest.reverse().map((task) => showWorkerTask(task, shownFor));
    return `"workers":${JSON.stringify(workers)},"tasks":${JSON.stringify(tasks)}}`;
  }

  return async () => {
    const eventId = await feed.newest();
    if (latest?.eventId !== eventId) latest = { eventId, board: read() };
    return latest.board;
  };
}

function end(socket: WebSocket, why: EndReason): void {
  if (why === 'rights ended') socket.close(1008, 'The token or browser session has ended.');
  else if (why === 'slow') socket.terminate();
  else if (why === 'server ends') socket.close(1001, 'The server ends.');
}
