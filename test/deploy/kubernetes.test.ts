import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { Secret } from 'kubernetes-models/v1/Secret';
import { Service } from 'kubernetes-models/v1/Service';
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { projectRoot } from '../support/paths.js';
import { drainTimeout, unknownFlags } from './command-lines.js';
import { problemsOfQuery } from './promql.js';

/** The schemas of the kinds that are used here. */
const kinds = { Deployment, PodDisruptionBudget, ScaledObject, Secret, Service, ServiceAccount };

// biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a document by reading it.
type Manifest = any;

const manifests: Manifest[] = ['server', 'worker', 'autoscaler'].flatMap((name) =>
  parseAllDocuments(readFileSync(join(projectRoot, 'src/deploy/kubernetes', `${name}.yaml`), 'utf8')).map(
    (document) => {
      expect(document.errors).toEqual([]);
      return document.toJS();
    },
  ),
);

const named = (kind: keyof typeof kinds, name: string): Manifest =>
  manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);

/** What the schema of its kind says against a manifest, keys that it does not know included; undefined if nothing. */
function problemOf(manifest: Manifest): string | undefined {
  const Kind = kinds[manifest.kind as keyof typeof kinds];
  const unread = new Set<string>();
  try {
    // With the manifest itself in place of a copy.
    Kind.prototype.validate.call(watched(manifest, '', unread));
    return unread.size === 0 ? undefined : `unknown: ${[...unread].join(', ')}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The compiled schemas pass over what they do not know, as API servers do. So a key that none of them reads is unknown. */
function watched(part: Manifest, path: string, unread: Set<string>): Manifest {
  if (typeof part !== 'object' || part === null) return part;
  const children: Record<string, Manifest> = Array.isArray(part) ? ([] as Manifest) : {};
  for (const [key, child] of Object.entries(part)) {
    children[key] = watched(child, `${path}/${key}`, unread);
    unread.add(`${path}/${key}`);
  }
  return new Proxy(children, {
    get(target, key) {
      unread.delete(`${path}/${String(key)}`);
      return Reflect.get(target, key);
    },
  });
}

describe('the manifests for Kubernetes', () => {
  it('are as the schemas of Kubernetes and KEDA say', () => {
    const wrong = structuredClone(named('Deployment', 'agent-runtime-worker'));
    wrong.spec.template.spec.containers[0].ports = [{ containerPort: 'http' }];
    expect(problemOf(wrong)).toMatch(/containerPort/);
    const misspelt = structuredClone(named('Deployment', 'agent-runtime-worker'));
    misspelt.spec.template.spec.containers[0].imagee = 'x';
    expect(problemOf(misspelt)).toBe('unknown: /spec/template/spec/containers/0/imagee');
    for (const manifest of manifests) {
      expect(Object.keys(kinds)).toContain(manifest.kind);
      expect([manifest.metadata.name, problemOf(manifest)]).toEqual([manifest.metadata.name, undefined]);
    }
  });

  it('start commands that there are, as a user who is not root, and probe ports that they open', () => {
    for (const name of ['server', 'worker']) {
      const { template, selector } = named('Deployment', `agent-runtime-${name}`).spec;
      const [container] = template.spec.containers;
      expect(unknownFlags(container.args)).toEqual([]);
      expect(container.args).toContain(String(container.ports[0].containerPort));
      expect(template.spec.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000 });
      expect(template.metadata.labels).toEqual(selector.matchLabels);
      for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe']) {
        const { httpGet, tcpSocket } = container[probe];
        expect((httpGet ?? tcpSocket).port).toBe(container.ports[0].name);
      }
      const { spec } = named('PodDisruptionBudget', `agent-runtime-${name}`);
      expect(spec.selector.matchLabels).toEqual(selector.matchLabels);
      for (const { secretRef } of container.envFrom) expect(named('Secret', secretRef.name)).toBeDefined();
      expect(named('ServiceAccount', template.spec.serviceAccountName)).toBeDefined();
    }
  });

  it('let a worker finish what it has begun, and scale it by the queue', () => {
    const { template } = named('Deployment', 'agent-runtime-worker').spec;
    expect(template.spec.terminationGracePeriodSeconds).toBeGreaterThan(drainTimeout(template.spec.containers[0].args));
    const { scaleTargetRef, triggers } = named('ScaledObject', 'agent-runtime-worker').spec;
    expect(named('Deployment', scaleTargetRef.name)).toBeDefined();
    expect(problemsOfQuery(triggers[0].metadata.query)).toEqual([]);
  });
});
