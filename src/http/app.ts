import { Hono, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { etag } from 'hono/etag';
import type { Config } from '../base/config.js';
import type { Log } from '../base/log.js';
import { version } from '../base/version.js';
import { prometheusContentType } from '../core/metrics/prometheus.js';
import type { EventFeed } from '../mcp/event-feed.js';
import type { Runtime } from '../runtime.js';
import { chooseTools } from '../tools/index.js';
import { artifactResponse } from './artifacts.js';
import { coordinatorApi } from './coordinator-routes.js';
import { eventStream } from './event-stream.js';
import { errorResponse, failureResponse } from './failure.js';
import { placeOf } from './follow-events.js';
import { type Env, type GuardOptions, guard } from './guard.js';
import { largestBody } from './largest-body.js';
import { liveSocket } from './live-socket.js';
import type { McpEndpoint } from './mcp-endpoint.js';
import { openApi } from './open-api/open-api.js';
import type { OpenVisits } from './open-visits.js';
import { pageReads } from './page/reads.js';
import { showVisitor } from './page/visitor.js';
import type { PageFiles } from './page-files.js';
import { signOut } from './sign-in.js';
import { createStreamPlaces, tooManyStreams } from './stream-places.js';
import { toolApi } from './tool-api.js';

export interface AppNeeds {
  runtime: Runtime;
  config: Config;
  log: Log;
  feed: EventFeed;
  visits: OpenVisits;
  mcp: McpEndpoint;
  guard: GuardOptions;
  /** Without it the server has no page. */
  page: PageFiles | undefined;
}

/** All routes of the one port. */
export function createApp({ runtime, config, log, feed, visits, mcp, guard: guarding, page }: AppNeeds): Hono<Env> {
  const tools = chooseTools({ toolsets: config.toolsets, isReadOnly: guarding.isReadOnly });
  const streams = createStreamPlaces();
  const app = new Hono<Env>();
  app.use(securityHeaders);
  app.use(guard(guarding));
  app.use(
    bodyLimit({
      maxSize: largestBody,
      onError: () =>
        errorResponse(413, {
          code: 'invalid',
          message: `A request may have ${largestBody} bytes.`,
          hint: 'Send less.',
        }),
    }),
  );
  app.get('/api/health', (context) =>
    context.json({ status: 'ok', version, pid: process.pid, uptime: process.uptime() }),
  );
  app.get('/api/whoami', (context) => context.json(showVisitor(context.get('visitor'))));
  app.post('/api/sign-out', async (context) => {
    return context.json({ signed_out: await signOut(context, context.get('visitor'), guarding) });
  });
  app.route('/api/tools', toolApi(tools, { runtime, visits }));
  app.route('/api/openapi.json', openApi(tools, { needsToken: guarding.needsToken }));
  app.get('/api/artifacts/:job/:name', ({ req }) =>
    artifactResponse(runtime, req.param('job'), req.param('name'), req.query('shown') !== undefined),
  );
  if (page) {
    // The page reads again whenever something may have changed; what has not is not sent again.
    app.use('/api/page/*', etag());
    app.route('/api/page', toolApi(pageReads, { runtime, visits }, { isCounted: false }));
  }
  app.route('/', coordinatorApi(tools, { runtime, visits }));
  app.get('/api/events', refuseHead, async (context) => {
    const afterId = await placeOf(context.req.header('last-event-id') ?? context.req.query('after'), feed);
    const pass = context.get('visitor');
    const onEnd = streams.take(pass);
    if (!onEnd) return errorResponse(503, tooManyStreams);
    return eventStream({ feed, visits, pass, afterId, signal: context.req.raw.signal, onEnd });
  });
  app.use(liveSocket({ runtime, feed, visits, streams }));
  app.get('/ws', () => errorResponse(426, noHandshake));
  app.get('/metrics', async (context) =>
    context.body(await runtime.metrics.prometheus(), 200, { 'Content-Type': prometheusContentType }),
  );
  app.all('/mcp', refuseHead, (context) => mcp.handle(context.req.raw, context.get('visitor')));
  if (page) {
    app.get('*', async (context) => {
      const isOfApi = context.req.path.startsWith('/api/');
      const file = isOfApi ? undefined : page.answer(context.req.raw, await feed.newest());
      return file ?? context.notFound();
    });
  }
  app.notFound((context) =>
    errorResponse(404, {
      code: 'not_found',
      message: `There is nothing at ${context.req.path}.`,
      hint: 'There are /api/health, /api/openapi.json, /api/tools, /api/events, /ws, /metrics and /mcp.',
    }),
  );
  app.onError((error) => {
    log.error('a request failed', { error });
    return failureResponse(error);
  });
  return app;
}

const noHandshake = {
  code: 'invalid',
  message: 'There is a WebSocket here, and this was no handshake for one.',
  hint: 'Connect by ws://, or read /api/events.',
} as const;

/** The framework answers HEAD by the handler of GET and drops the body: nothing would ever end the stream of a GET. */
const refuseHead: MiddlewareHandler<Env> = async (context, next) => {
  if (context.req.method !== 'HEAD') return next();
  return context.json(
    { error: { code: 'invalid', message: 'A stream cannot be asked for by HEAD.', hint: 'Use GET.' } },
    405,
    { Allow: 'GET' },
  );
};

/** Headers of every answer: browsers load and run only our own files, show them in no frame, and cache nothing. */
const securityHeaders: MiddlewareHandler = async (context, next) => {
  await next();
  const { headers } = context.res;
  if (!headers.has('Content-Security-Policy')) {
    headers.set(
      'Content-Security-Policy',
      "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
  }
  headers.set('X-Content-Type-Options', 'nosniff');
  headers.set('X-Frame-Options', 'DENY');
  if (!headers.has('Referrer-Policy')) headers.set('Referrer-Policy', 'no-referrer');
  headers.set('Cross-Origin-Resource-Policy', 'same-origin');
  headers.set('Cross-Origin-Opener-Policy', 'same-origin');
  if (!headers.has('Cache-Control')) headers.set('Cache-Control', 'no-store');
};
