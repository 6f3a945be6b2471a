import type { View } from '../app.js';
import { Activity } from './activity.js';
import { Board } from './board/board.js';
import { Goals } from './goals/goals.js';
import { Workers } from './workers/workers.js';

/** The views in the order of the navigation; the first is what the bare address shows. */
export const views: readonly View[] = [
  { name: 'board', title: 'Board', component: Board },
  { name: 'goals', title: 'Goals', component: Goals },
  { name: 'workers', title: 'Workers', component: Workers },
  { name: 'activity', title: 'Activity', component: Activity },
];
