import type { z } from 'zod';
import type { Lab } from '../lab/lab.js';

export interface ToolAnnotations {
  readonly readOnlyHint: boolean;
  readonly destructiveHint: boolean;
  readonly idempotentHint: boolean;
  readonly openWorldHint: boolean;
}

/** The call beside its arguments. */
export interface Call {
  readonly signal: AbortSignal;
  /** Sends a progress notification where the client asked for them. */
  readonly onProgress: (progress: number, total: number, message: string) => void;
  /** Asks the person a question of yes or no; null: the client cannot. */
  readonly ask: ((question: string) => Promise<boolean>) | null;
}

/** The same answer twice: `structured` fits the output schema, `text` is for a client that shows text only. */
export interface Answer<Output> {
  readonly structured: Output;
  readonly text: string;
  /** Bulk that is not in the answer: an experiment's log or diff. */
  readonly links?: readonly { readonly uri: string; readonly name: string }[];
}

export interface Tool<Input extends z.ZodObject = z.ZodObject, Output extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly title: string;
  /** First sentence: what it does. Last: what to call next or instead. */
  readonly description: string;
  readonly annotations: ToolAnnotations;
  readonly input: Input;
  readonly output: Output;
  run(lab: Lab, input: z.output<Input>, call: Call): Promise<Answer<z.input<Output>>>;
}

/** The arguments do not fit the tool's schema: the caller's mistake, unlike any other error of a schema. */
export class BadArguments extends Error {
  constructor(readonly issues: readonly z.core.$ZodIssue[]) {
    super('The arguments do not fit the tool.');
  }
}

/** A tool whose types are known only to itself: what the registry holds. */
export interface AnyTool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly annotations: ToolAnnotations;
  readonly input: z.ZodObject;
  readonly output: z.ZodObject;
  /** @throws BadArguments; whatever the lab throws */
  call(lab: Lab, input: unknown, call: Call): Promise<Answer<Record<string, unknown>>>;
}

export function defineTool<Input extends z.ZodObject, Output extends z.ZodObject>(tool: Tool<Input, Output>): AnyTool {
  return {
    ...tool,
    async call(lab, input, call) {
      const parsed = tool.input.safeParse(input);
      if (!parsed.success) throw new BadArguments(parsed.error.issues);
      const { structured, ...rest } = await tool.run(lab, parsed.data, call);
      return { ...rest, structured: tool.output.parse(structured) };
    },
  };
}
