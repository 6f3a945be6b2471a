import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { ShownVisitor } from '../http/page/visitor.js';
import { CallFailed, VisitorContext, whoami } from './api.js';
import { connect, pause, useLiveState } from './live.js';
import { decoded, Link, usePlace, type View, type ViewProps } from './location.js';
import { Notices } from './ui/notices.js';
import { Empty, Shown } from './ui/shown.js';
import { views } from './views/index.js';

/** The page: its navigation, whether it is live, and the view that the address names. */
export function App() {
  const place = usePlace();
  const [visitor, setVisitor] = useState<ShownVisitor>();
  useEffect(() => {
    connect();
    whoami().then(setVisitor, () => {});
  }, []);

  const [name = '', ...rest] = place.path.slice(1).split('/');
  const view = name === '' ? views[0] : (views.find((known) => known.name === name) ?? nowhere);
  useEffect(() => {
    document.title = `${view?.title ?? ''} · Agent Runtime`;
    // On a phone the navigation is wider than the page.
    document.querySelector('nav [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [view]);
  if (!view) return null;

  return (
    <VisitorContext.Provider value={visitor}>
      <a class="skip" href="#view">
        Skip to the view
      </a>
      <header>
        <strong class="brand">Agent Runtime</strong>
        <nav aria-label="Views">
          {views.map(({ name: known, title }) => (
            <Link key={known} to={`/${known}`} isCurrent={known === view.name}>
              {title}
            </Link>
          ))}
        </nav>
        {visitor?.read_only && <span class="badge">read-only</span>}
        <LiveSwitch />
      </header>
      <main id="view" tabIndex={-1}>
        <h1 class="unseen">{view.title}</h1>
        <LoadedView view={view} {...place} rest={rest.map(decoded).join('/')} />
      </main>
      <Notices />
    </VisitorContext.Provider>
  );
}

/** What is shown at an address that no view has. */
const nowhere: View = {
  name: '',
  title: 'Nothing here',
  load: async () => Nowhere,
};

function Nowhere({ path }: ViewProps) {
  return <Empty what={`There is no view at ${path}. The names above lead to those that there are.`} />;
}

const loaded = new Map<View, ComponentType<ViewProps>>();

/** The view as soon as its code is here, or why it is not. */
function LoadedView({ view, ...props }: ViewProps & { view: View }) {
  const [failed, setFailed] = useState<{ view: View; error: CallFailed }>();
  const [, setLoaded] = useState(0);
  const load = async () => {
    try {
      loaded.set(view, await view.load());
      setLoaded(loaded.size);
    } catch {
      setFailed({ view, error: await whyNotLoaded() });
    }
  };
  useEffect(() => {
    setFailed(undefined);
    if (!loaded.has(view)) void load();
  }, [view]);
  const Component = loaded.get(view);
  const error = failed?.view === view ? failed.error : undefined;
  return (
    <Shown reading={{ data: Component && { Component }, error: Component ? undefined : error, reload: load }}>
      {({ Component: Loaded }) => <Loaded {...props} />}
    </Shown>
  );
}

/** A script that does not come gives no reason; the next request does. */
async function whyNotLoaded(): Promise<CallFailed> {
  try {
    await whoami();
    return new CallFailed('unavailable', 'This view is of another version of the program.', 'Load the page again.');
  } catch (error) {
    return error as CallFailed;
  }
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
