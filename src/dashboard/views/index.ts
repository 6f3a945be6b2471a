import type { View } from '../app.js';
import { Activity } from './activity.js';

/** The views in the order of the navigation; the first is what the bare address shows. */
export const views: readonly View[] = [{ name: 'activity', title: 'Activity', component: Activity }];
