/** Names of NVIDIA's drivers that SkyPilot spells in a way of its own; the first that fits. */
const SPELLINGS: readonly (readonly [pattern: RegExp, name: string | ((memoryGib: number) => string)])[] = [
  [/\bGH200\b/, 'GH200'],
  [/\bGB(200|300)\b/, 'GB$1'],
  [/\b(B[123]00|H[12]00|H20|H800)\b/, '$1'],
  [/\bA100\b/, (memoryGib) => (memoryGib > 60 ? 'A100-80GB' : 'A100')],
  [/\bV100\b/, (memoryGib) => (memoryGib > 20 ? 'V100-32GB' : 'V100')],
  [/\bRTX 6000 Ada\b/, 'RTX6000-Ada'],
  [/\bRTX A(\d{4})\b/, 'RTXA$1'],
  [/\bRTX (\d{4})( Ti)?( SUPER)?\b/i, 'RTX$1$2$3'],
  [/\bQuadro RTX (\d{4})\b/, 'Quadro-RTX-$1'],
  [/\b(A10G|A10|A16|A30|A40|L4|L40S|L40|T4|P100|P40|P4|K80|M60)\b/, '$1'],
];

/** `NVIDIA H100 80GB HBM3` is an `H100`. A device we do not know keeps its own name, without the maker's. */
export function acceleratorName(device: string, memoryMib: number): string {
  for (const [pattern, name] of SPELLINGS) {
    const match = pattern.exec(device);
    if (!match) continue;
    if (typeof name !== 'string') return name(memoryMib / 1024);
    return match[0].replace(pattern, name).replaceAll(' ', '-').replace('-Ti', 'Ti');
  }
  return device
    .replace(/^NVIDIA\s+/, '')
    .trim()
    .replace(/\s+/g, '-');
}
