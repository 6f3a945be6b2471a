import type { Call } from './call.js';

/**
 * A `fetch` for one call: it aborts with the call, counts every byte of the body as a sign of life (a vendor's pings do
 * not reach us through its SDK), and follows no redirect, which would carry prompt and key to a host nobody named.
 */
export function callFetch(call: Call): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, { ...init, signal: call.signal, redirect: 'manual' });
    call.alive();
    if (!response.body) return response;
    const watched = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          call.alive();
          controller.enqueue(chunk);
        },
      }),
    );
    return new Response(watched, response);
  };
}
