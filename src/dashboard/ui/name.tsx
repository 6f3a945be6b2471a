import type { ShownName } from '../../http/page/names.js';
import { Link } from '../location.js';
import { useName } from '../names.js';

interface NameProps {
  /** `task:8`, `goal:3`, `job:ID`, `relay:ID`, or a holder or actor as it stands in a row. */
  of: string;
  /** False within a link. */
  isLinked?: boolean;
}

/** A thing or a caller by its name, as a link to it. Its title has the id. */
export function Name({ of, isLinked = true }: NameProps) {
  return <Named name={useName(of)} reference={of} isLinked={isLinked} />;
}

/** The same where the name is known already. */
export function Named({
  name,
  reference,
  isLinked = true,
}: {
  name: ShownName;
  reference: string;
  isLinked?: boolean;
}) {
  const address = isLinked ? addressOf(name) : undefined;
  return address === undefined ? (
    <span class="name" title={reference}>
      {name.name}
    </span>
  ) : (
    <Link to={address} class="name" title={reference}>
      {name.name}
    </Link>
  );
}

const addresses: Partial<Record<ShownName['kind'], string>> = {
  task: '/board/task/',
  goal: '/goals/',
  job: '/jobs/',
  relay: '/relays/',
  session: '/workers?holder=',
  worker: '/board?worker=',
  person: '/activity?actor=user:',
  message: '/messages?thread=',
  breaker: '/breakers/',
};

/** Where a named thing is shown. */
export function addressOf({ kind, id }: Pick<ShownName, 'kind' | 'id'>): string | undefined {
  const start = addresses[kind];
  return start && `${start}${encodeURIComponent(id)}`;
}
