import type { Command } from 'commander';
import { addCollect } from '../binhost/collect.ts';
import { addInit } from '../binhost/init.ts';
import { addList } from '../binhost/list.ts';
import { addPin } from '../binhost/pin.ts';
import { addRemove } from '../binhost/remove.ts';
import { addServe } from '../binhost/serve.ts';
import { addVerify } from '../binhost/verify.ts';
import type { CliContext } from '../cli-context.ts';
import type { Finish } from '../command-line.ts';

export function addBinhostCommand(program: Command, cli: CliContext, finish: Finish): void {
  const command = program.command('binhost').description('make a binhost and look after it');
  addInit(command, cli);
  addList(command, cli);
  addVerify(command, cli, finish);
  addCollect(command, cli);
  addPin(command, cli);
  addRemove(command, cli);
  addServe(command, cli);
}
