import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { ShownVisitor } from '../http/page/visitor.js';
import { CallFailed, VisitorContext, whoami } from './api.js';
import { connect } from './live.js';
import { decoded, usePlace, type View, type ViewProps } from './location.js';
import { AttentionContext, countsByView, useAttention } from './shell/attention.js';
import { Header } from './shell/header.js';
import { useKiosk } from './shell/kiosk.js';
import { useNotifications } from './shell/notifications.js';
import { OfflineBar, useIsOffline } from './shell/offline.js';
import { useViewTitle } from './shell/page-title.js';
import { usePreference } from './shell/preferences.js';
import { Notices } from './ui/notices.js';
import { Empty, Shown } from './ui/shown.js';
import { views } from './views/index.js';

/** The page: its navigation, whether it is live, what needs a person, and the view that the address names. */
export function App() {
  const place = usePlace();
  const [visitor, setVisitor] = useState<ShownVisitor>();
  useEffect(() => {
    connect();
    whoami().then(setVisitor, () => {});
  }, []);

  const [name = '', ...rest] = place.path.slice(1).split('/');
  const view = (name === '' ? views[0] : views.find((known) => known.name === name)) ?? nowhere;
  const attention = useAttention(view === views[0]);
  const counts = countsByView(attention.data);
  useViewTitle(view.title, counts.get('now') ?? 0);
  useNotifications(attention.data);
  const isOffline = useIsOffline();
  const zone = usePreference('zone');
  const isKiosk = useKiosk(place);

  return (
    <VisitorContext.Provider value={isKiosk && visitor ? { ...visitor, read_only: true } : visitor}>
      <AttentionContext.Provider value={attention}>
        {!isKiosk && (
          <>
            <a class="skip" href="#view">
              Skip to the view
            </a>
            <Header views={views} current={view} visitor={visitor} counts={counts} />
          </>
        )}
        {isOffline && <OfflineBar />}
        <main id="view" tabIndex={-1} class={isOffline ? 'is-stale' : ''}>
          <h1 class="unseen">{view.title}</h1>
          <LoadedView key={zone} view={view} {...place} rest={rest.map(decoded).join('/')} />
        </main>
        <Notices />
      </AttentionContext.Provider>
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
