import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Visitor } from './api.js';

export const VisitorContext = createContext<Visitor | undefined>(undefined);

/** Whether actions are offered: the server refuses them anyway to those who may only look. */
export function useMayWrite(): boolean {
  return useContext(VisitorContext)?.read_only === false;
}
