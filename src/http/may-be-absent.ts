import { ValidateIf } from 'class-validator';

/** Marks a field of a body or a query that may be left out. Unlike `IsOptional` it does not let null pass. */
export const MayBeAbsent = (): PropertyDecorator => ValidateIf((_, value) => value !== undefined);
