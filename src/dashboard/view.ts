import type { ComponentType } from 'preact';
import type { Place } from './location.js';

export interface ViewProps extends Place {
  /** What follows the view's own part of the address, such as a task's id. */
  rest: string;
}

export interface View {
  /** Its part of the address. */
  name: string;
  title: string;
  component: ComponentType<ViewProps>;
}
