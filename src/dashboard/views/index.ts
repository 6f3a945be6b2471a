import type { View } from '../location.js';

/** The views in the order of the navigation; the first is what the bare address shows. Each is loaded when it is first looked at. */
export const views: readonly View[] = [
  { name: 'now', title: 'Now', load: async () => (await import('./now/now.js')).Now },
  { name: 'board', title: 'Board', load: async () => (await import('./board/board.js')).Board },
  { name: 'goals', title: 'Goals', load: async () => (await import('./goals/goals.js')).Goals },
  { name: 'templates', title: 'Templates', load: async () => (await import('./templates/templates.js')).Templates },
  { name: 'workers', title: 'Workers', load: async () => (await import('./workers/workers.js')).Workers },
  { name: 'messages', title: 'Messages', load: async () => (await import('./messages/messages.js')).Messages },
  { name: 'jobs', title: 'Jobs', load: async () => (await import('./jobs/jobs.js')).Jobs },
  { name: 'schedules', title: 'Schedules', load: async () => (await import('./schedules/schedules.js')).Schedules },
  { name: 'relays', title: 'Relays', load: async () => (await import('./relays/relays.js')).Relays },
  { name: 'breakers', title: 'Breakers', load: async () => (await import('./breakers/breakers.js')).Breakers },
  { name: 'servers', title: 'Servers', load: async () => (await import('./servers/servers.js')).Servers },
  { name: 'trends', title: 'Metrics', load: async () => (await import('./metrics/metrics.js')).Metrics },
  { name: 'activity', title: 'Activity', load: async () => (await import('./activity/activity.js')).Activity },
  { name: 'settings', title: 'Settings', load: async () => (await import('./settings/settings.js')).Settings },
  { name: 'search', title: 'Search', isHidden: true, load: async () => (await import('./search/search.js')).Search },
];
