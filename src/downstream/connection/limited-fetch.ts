/** `fetch` that gives up on an answer as soon as one of its messages grows over a limit. */
export function limitedFetch(limitBytes: number): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (!response.body) return response;
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
    const body = response.body.pipeThrough(limiter(limitBytes, isStream));
    const { status, statusText, headers } = response;
    return new Response(body, { status, statusText, headers });
  };
}

/** An event stream may go on for days: there each event is counted anew, by its line end. */
function limiter(limitBytes: number, isStream: boolean): TransformStream<Uint8Array, Uint8Array> {
  let size = 0;
  return new TransformStream({
    transform(piece, controller) {
      const lineEnd = isStream ? piece.lastIndexOf(10) : -1;
      size = lineEnd === -1 ? size + piece.length : piece.length - lineEnd - 1;
      if (size > limitBytes) controller.error(Object.assign(new Error('too large'), { code: 'BODY_TOO_LARGE' }));
      else controller.enqueue(piece);
    },
  });
}
