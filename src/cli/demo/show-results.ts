import type { Lab } from '../../lab/lab.js';
import { look } from '../../lab/look.js';
import { campaignReport, effectsOf, read } from '../inspect/build-report.js';
import { throughputLines } from '../inspect/draw-campaign.js';
import { drawEffects, drawRows, NO_NOISE_FLOOR } from '../inspect/draw-rows.js';
import { bold, facts, warning } from '../inspect/table.js';
import { shownPath } from '../shown-path.js';
import { PACKAGE_FOLDER } from './demo-project.js';

/** The experiments ranked, what each factor did, and how well the machine was used. */
export async function resultScreen(lab: Lab, ids: readonly string[]): Promise<string> {
  const seen = await read(await look(lab));
  const { experiments, metric, throughput } = campaignReport(seen);
  const chosen = seen.experiments.filter(({ id }) => ids.includes(id));
  const effects = effectsOf(chosen, metric.name);
  return [
    drawRows(
      experiments.filter(({ experiment_id, is_incumbent }) => is_incumbent || ids.includes(experiment_id)),
      metric.name,
    ),
    '',
    bold(`What each factor did (mean ${metric.name} at each level, over all levels of the others; n runs each)`),
    drawEffects(effects, metric),
    '',
    warning(NO_NOISE_FLOOR),
    '',
    facts([['throughput', throughputLines(throughput)]]),
  ].join('\n');
}

export function nextSteps(folder: string): string {
  const server = `node ${PACKAGE_FOLDER}/dist/bin.js --project ${folder}`;
  return `
${bold('Next')}
  See it again         npx autoresearch-mcp inspect            also: wave-001, exp-0001, --watch, --json
  Claude Code          claude mcp add autoresearch -- ${server}
  Codex                codex mcp add autoresearch -- ${server}
  Your own project     the same, with its folder behind --project: README.md says what it needs
  Run the demo anew    rm -r ${shownPath(folder)}/.autoresearch, then npm run demo`;
}
