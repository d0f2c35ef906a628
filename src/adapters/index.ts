import type { Project } from '../domain/project.js';
import type { ClusterBackend } from '../ports/cluster-backend.js';
import { createLocalBackend } from './local/local-backend.js';
import { findEndpoint } from './skypilot/endpoint.js';
import { findIdentity } from './skypilot/identity.js';
import { openMemory } from './skypilot/memory.js';
import { createSkyApi } from './skypilot/sky-api.js';
import { createSkypilotBackend } from './skypilot/skypilot-backend.js';

export interface BackendContext {
  readonly project: Project;
  /** Absolute; a backend may keep what it needs to find its clusters again in a folder of its own name below it. */
  readonly stateDirectory: string;
}

/** The words that `backend` in autoresearch.yaml may have. */
export const BACKENDS: Readonly<Record<string, (context: BackendContext) => ClusterBackend>> = {
  local: ({ project, stateDirectory }) =>
    createLocalBackend({ directory: `${stateDirectory}/clusters`, slots: project.settings.local.slots }),
  skypilot: ({ project, stateDirectory }) =>
    createSkypilotBackend({
      api: createSkyApi(findEndpoint, findIdentity),
      memory: openMemory(`${stateDirectory}/skypilot`),
      infra: project.settings.infra,
    }),
};
