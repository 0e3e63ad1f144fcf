package health

import (
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"huilu/internal/config"
)

// Folder tells whether a data folder that is not there yet can be made. It leaves nothing behind.
func Folder(folder string) []Problem {
	above := filepath.Dir(folder)
	for above != filepath.Dir(above) {
		if _, err := os.Stat(above); err == nil {
			break
		}
		above = filepath.Dir(above)
	}
	probe, err := os.MkdirTemp(above, ".huilu-")
	if err == nil {
		err = os.Remove(probe)
	}
	if err == nil {
		return nil
	}
	return []Problem{{
		Code: "data_folder", Fatal: true,
		EN: fmt.Sprintf("The data folder %s cannot be made (%v). Make it, for the account huilu runs under, or correct the setting data.", folder, err),
		ZH: fmt.Sprintf("无法创建数据目录 %s（%v）。请为运行 huilu 的账号创建该目录，或修改 data 设置。", folder, err),
	}}
}

// renew is how long before its end a certificate should be replaced: renewals that work have done so by then.
const renew = 14 * 24 * time.Hour

// Certificate looks at the files of tls.cert and tls.key.
func Certificate(cfg config.Config, now time.Time) []Problem {
	if cfg.TLS.Cert == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(cfg.TLS.Cert, cfg.TLS.Key)
	if err != nil {
		return []Problem{{
			Code: "certificate", Fatal: true,
			EN: fmt.Sprintf("The certificate cannot be used (%v). Correct tls.cert and tls.key.", strings.TrimSuffix(err.Error(), ".")),
			ZH: fmt.Sprintf("证书不可用（%v）。请修改 tls.cert 和 tls.key 设置。", err),
		}}
	}
	end := pair.Leaf.NotAfter
	switch day := end.UTC().Format(time.DateOnly); {
	case !now.Before(end):
		return []Problem{{
			Code: "certificate", Fatal: true,
			EN: fmt.Sprintf("The certificate ended on %s: browsers refuse the server. Replace the files of tls.cert and tls.key and start again.", day),
			ZH: fmt.Sprintf("证书已于 %s 过期，浏览器会拒绝访问。请更新 tls.cert 和 tls.key 指向的文件并重新启动。", day),
		}}
	case end.Sub(now) < renew:
		return []Problem{{
			Code: "certificate_ends",
			EN:   fmt.Sprintf("The certificate ends on %s. Replace the files of tls.cert and tls.key and start again before that.", day),
			ZH:   fmt.Sprintf("证书将于 %s 过期。请在此之前更新 tls.cert 和 tls.key 指向的文件并重新启动。", day),
		}}
	}
	return nil
}

// Strays tells of variables that look like settings and are none: a misspelt one would have no effect, without a word.
func Strays(cfg config.Config) []Problem {
	names := cfg.Strays()
	if len(names) == 0 {
		return nil
	}
	list := strings.Join(names, ", ")
	return []Problem{{
		Code: "stray_variables",
		EN:   fmt.Sprintf("These environment variables are no settings and have no effect: %s. Correct their names, or leave them if they are for something else.", list),
		ZH:   fmt.Sprintf("以下环境变量不是有效的设置，不会生效：%s。请更正名称；若用于其他用途可忽略。", list),
	}}
}
