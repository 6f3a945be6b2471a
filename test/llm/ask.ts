import { type ModelAnswer, ModelError, type ModelRequest, type Provider } from '../../src/core/ports.js';

/** A request as the job runner makes it; `pieces` collects what `onText` was given. */
export function newRequest(overrides: Partial<ModelRequest> = {}): ModelRequest & { pieces: string[] } {
  const pieces: string[] = [];
  return {
    model: 'test-model',
    prompt: 'Hello there',
    params: {},
    signal: new AbortController().signal,
    onText: (text) => void pieces.push(text),
    ...overrides,
    pieces,
  };
}

export function ask(provider: Provider, overrides: Partial<ModelRequest> = {}): Promise<ModelAnswer> {
  return provider.complete(newRequest(overrides));
}

/** The `ModelError` that a call fails with; anything else it does fails the test. */
export async function failureOf(call: Promise<unknown>): Promise<ModelError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error('The call succeeded, and should have failed.');
}
