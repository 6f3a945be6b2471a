import type { View } from '../location.js';
import { Activity } from './activity.js';
import { Board } from './board/board.js';
import { Breakers } from './breakers/breakers.js';
import { Goals } from './goals/goals.js';
import { Jobs } from './jobs/jobs.js';
import { Messages } from './messages/messages.js';
import { Metrics } from './metrics/metrics.js';
import { Relays } from './relays/relays.js';
import { Servers } from './servers/servers.js';
import { Workers } from './workers/workers.js';

/** The views in the order of the navigation; the first is what the bare address shows. */
export const views: readonly View[] = [
  { name: 'board', title: 'Board', component: Board },
  { name: 'goals', title: 'Goals', component: Goals },
  { name: 'workers', title: 'Workers', component: Workers },
  { name: 'messages', title: 'Messages', component: Messages },
  { name: 'jobs', title: 'Jobs', component: Jobs },
  { name: 'relays', title: 'Relays', component: Relays },
  { name: 'breakers', title: 'Breakers', component: Breakers },
  { name: 'servers', title: 'Servers', component: Servers },
  { name: 'trends', title: 'Metrics', component: Metrics },
  { name: 'activity', title: 'Activity', component: Activity },
];
