import type { Actor } from '../../core/actor.js';

/** The project that a list is kept to: the caller's own, none when it asks for all or works in none. */
export function projectOf(actor: Actor, scope: 'project' | 'all' | undefined): string | undefined {
  return scope === 'all' || actor.project === '' ? undefined : actor.project;
}
