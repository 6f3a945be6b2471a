import type { ProcessIdentity } from './ports.js';

/** The columns in which a table stores the identity of a process. */
export interface IdentityRow {
  host_id: string;
  boot_id: string;
  pid_namespace: string;
  pid: number;
  process_started: string;
}

export function identityOf(row: IdentityRow): ProcessIdentity {
  return {
    hostId: row.host_id,
    bootId: row.boot_id,
    pidNamespace: row.pid_namespace,
    pid: row.pid,
    startTime: row.process_started,
  };
}

export function identityRow(identity: ProcessIdentity): IdentityRow {
  return {
    host_id: identity.hostId,
    boot_id: identity.bootId,
    pid_namespace: identity.pidNamespace,
    pid: identity.pid,
    process_started: identity.startTime,
  };
}
