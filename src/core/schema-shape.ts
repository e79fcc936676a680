/** What of a valibot schema says which keys a value may have, and what is said about them. */
export interface SchemaShape {
  readonly type: string;
  readonly entries?: Record<string, SchemaShape>;
  readonly wrapped?: SchemaShape;
  readonly value?: SchemaShape;
  readonly item?: SchemaShape;
  readonly options?: readonly SchemaShape[];
  readonly pipe?: readonly SchemaShape[];
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** The shapes that a value may have, without what makes it optional. */
export function unwrap(shape: SchemaShape): SchemaShape[] {
  if (shape.wrapped !== undefined) return unwrap(shape.wrapped);
  if (shape.type === "union" || shape.type === "variant") return (shape.options ?? []).flatMap(unwrap);
  return [shape];
}
