import { useEffect, useState } from 'preact/hooks';
import type { ShownVisitor } from '../../http/page/visitor.js';
import { Finder } from '../find/finder.js';
import { connect, pause, useLiveState } from '../live.js';
import { Link, type View } from '../location.js';
import { DisplayMenu } from './display-menu.js';

interface HeaderProps {
  views: readonly View[];
  current: View;
  visitor: ShownVisitor | undefined;
  /** How much needs a person, by view. */
  counts: ReadonlyMap<string, number>;
}

/** The navigation with what needs a person, and how the page is shown. On a phone the views are behind a button. */
export function Header({ views, current, visitor, counts }: HeaderProps) {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => setOpen(false), [current]);
  const needs = counts.get('now') ?? 0;
  return (
    <header>
      <strong class="brand">Agent Runtime</strong>
      <button
        type="button"
        class="views-button"
        aria-expanded={isOpen}
        aria-controls="views"
        onClick={() => setOpen(!isOpen)}
      >
        {current.title}
        <Count count={needs} />
      </button>
      <nav id="views" aria-label="Views" class={isOpen ? 'is-open' : ''}>
        {views
          .filter(({ isHidden }) => !isHidden)
          .map(({ name, title }) => (
            <Link key={name} to={`/${name}`} isCurrent={name === current.name}>
              {title}
              <Count count={counts.get(name) ?? 0} />
            </Link>
          ))}
      </nav>
      {visitor?.read_only && <span class="badge">read-only</span>}
      <Finder />
      <DisplayMenu />
      <LiveSwitch />
    </header>
  );
}

const mostShown = 999;

function Count({ count }: { count: number }) {
  if (count === 0) return null;
  return (
    <b class="count">
      <span class="unseen"> </span>
      {count > mostShown ? `${mostShown}+` : count}
      <span class="unseen"> need you</span>
    </b>
  );
}

/** Shows whether the page is live, and pauses or resumes it. */
function LiveSwitch() {
  const state = useLiveState();
  const words = { live: 'Live', paused: 'Paused', connecting: 'Reconnecting…' };
  return (
    <button
      type="button"
      class={`live ${state}`}
      aria-pressed={state === 'paused'}
      onClick={state === 'paused' ? connect : pause}
      title={state === 'paused' ? 'Show changes as they happen' : 'Hold what is shown'}
    >
      {words[state]}
    </button>
  );
}
