/* server_cpu.c: walks /proc once. */
#include "server_cpu.h"

#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROCESSES_MAX 4096

struct process {
	int pid, parent;
	double seconds;
	bool in, has_child;
};

static bool
read_stat(int pid, struct process *p)
{
	char path[64], text[1024], *after;
	unsigned long user, system;
	long child_user, child_system;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if ((f = fopen(path, "r")) == NULL)
		return false;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	if ((after = strrchr(text, ')')) == NULL ||
	    sscanf(after + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld",
		&p->parent, &user, &system, &child_user, &child_system) != 5)
		return false;
	p->pid = pid;
	p->seconds = (double)((long)(user + system) + child_user + child_system) /
		     (double)sysconf(_SC_CLK_TCK);
	p->in = p->has_child = false;
	return true;
}

static int
read_all(struct process *all)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	int n = 0;

	while (d != NULL && n < PROCESSES_MAX && (e = readdir(d)) != NULL)
		if (isdigit((unsigned char)e->d_name[0]) && read_stat(atoi(e->d_name), &all[n]))
			n++;
	if (d != NULL)
		closedir(d);
	return n;
}

static void
mark(struct process *all, int n, const char *pids)
{
	bool again = true;

	for (const char *p = pids; *p != '\0'; p += strcspn(p, ","), p += *p == ',')
		for (int i = 0; i < n; i++)
			if (all[i].pid == atoi(p))
				all[i].in = true;
	while (again) {
		again = false;
		for (int i = 0; i < n; i++)
			for (int j = 0; j < n; j++)
				if (all[j].in && all[i].parent == all[j].pid) {
					again = again || !all[i].in;
					all[i].in = all[j].has_child = true;
				}
	}
}

static double
pss(int pid)
{
	char path[64], line[256];
	double kb = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	if ((f = fopen(path, "r")) == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "Pss: %lf", &kb) == 1)
			break;
	fclose(f);
	return kb / 1024;
}

struct server_cpu
server_cpu_read(const char *pids, int memory)
{
	static struct process all[PROCESSES_MAX];
	struct server_cpu s = {0};
	int n = read_all(all);

	mark(all, n, pids);
	for (int i = 0; i < n; i++) {
		if (!all[i].in)
			continue;
		s.seconds += all[i].seconds;
		s.processes++;
		if (memory && !all[i].has_child && pss(all[i].pid) > s.largest_pss)
			s.largest_pss = pss(all[i].pid);
	}
	return s;
}
